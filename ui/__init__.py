"""The page in the browser. It knows the rest of the system only through the service's HTTP interface."""
