-- A search by somebody looks into the private repositories of their namespaces, and reads no others for it.
create index repositories_private_in on repositories (namespace_id)
  where private = 1 and deleted_at is null and pushed_at is not null;
