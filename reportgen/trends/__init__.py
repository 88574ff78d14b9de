"""What earlier months tell of this one: changes, migration, outcomes, restatements, drift."""
