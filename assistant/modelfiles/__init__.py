"""Language models on this machine: their files, whether these are what was registered, and the server that runs them."""
