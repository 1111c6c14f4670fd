"""JSON Schemas of every format that Hexgate reads or writes."""
