"""Large delimited readings in bounded memory: what is plain is typed in columns, the rest is read as any other file.

`large` reads one sealed file. It takes the typed road (`pieces`, `typed`) where a layout and a file allow it (`plan`),
and the general reader over bounded parts (`chunks`) where they do not. Neither says what a line means: that is
asked of the general reader, line by line for what is not plain, and once per kind of line for what is.
"""
