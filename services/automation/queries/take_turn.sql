UPDATE automation_revision
SET revision = revision
WHERE id = 1
