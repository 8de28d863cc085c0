"""One module per file format: bytes become tables of located text. What the text means is a layout's business."""
