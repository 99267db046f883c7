-- What is removed by age, and what goes with it, is found without reading the rest.

create index refresh_tokens_by_use on refresh_tokens (used_at);
create index refresh_tokens_by_age on refresh_tokens (created_at);
create index links_by_email on links (email_id) where email_id is not null;
