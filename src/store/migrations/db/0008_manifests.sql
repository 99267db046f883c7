-- What registries told of the manifests of a repository, by digest: what its tags name, and the images of an index.
create table manifests (
  id integer primary key,
  repository_id integer not null references repositories (id) on delete cascade,
  service text not null,
  digest text not null,
  size integer,                             -- bytes of an image with its layers; null of an index, and where it is not told
  pulled_at integer,                        -- as the event says, in milliseconds
  look_at integer,                          -- from when on to look whether anything names it; null: something did
  unique (repository_id, service, digest)
) strict;
create index manifests_to_look_at on manifests (look_at) where look_at is not null;
-- Of an earlier digest a pull was noted at the tag alone. The sizes of tags are lengths of manifests: nothing reads them.
insert into manifests (repository_id, service, digest, pulled_at)
  select repository_id, service, digest, max(iif(pulled_at * 1000 >= pushed_at, pulled_at * 1000, null))
  from tags where deleted = 0 and digest <> '' group by repository_id, service, digest;

-- The images that an index names, and what for; empty where that is not told.
create table index_images (
  index_id integer not null references manifests (id) on delete cascade,
  position integer not null,
  image_id integer not null references manifests (id) on delete cascade,
  os text not null,
  architecture text not null,
  variant text not null,
  primary key (index_id, position)
) strict, without rowid;
create index index_images_by_image on index_images (image_id);
