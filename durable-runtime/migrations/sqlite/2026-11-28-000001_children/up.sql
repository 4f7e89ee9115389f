-- Who called an instance: how the children of all generations of one are found. Costs nothing where there is no parent.
CREATE INDEX instances_by_parent ON instances (json_extract(parent, '$.instance_id')) WHERE parent IS NOT NULL;
