"""The service: the only owner of the index, and the only place where rights are checked."""
