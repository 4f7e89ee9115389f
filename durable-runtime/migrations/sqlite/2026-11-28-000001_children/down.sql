DROP INDEX instances_by_parent;
