"""An invented province of 51,754 institutions whose totals are those that Sichuan printed for 2020."""
