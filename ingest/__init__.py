"""From a file that an archivist hands in to passages that can be searched and cited."""
