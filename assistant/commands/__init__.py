"""The commands behind `assistant.cli`, by what the operator wants to do."""
