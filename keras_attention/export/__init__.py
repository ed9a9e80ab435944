"""Export: SavedModels with strings in and strings out."""
