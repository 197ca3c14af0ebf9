DELETE FROM catalog_lists
WHERE fetched_at < $1
