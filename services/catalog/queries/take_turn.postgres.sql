-- A number of this service's own, among the advisory locks of the database.
SELECT pg_advisory_xact_lock(7281130113)
