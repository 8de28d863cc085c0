"""District inventories (区级温室气体清单): what a region burned, grew, kept, buried and treated, by category."""
