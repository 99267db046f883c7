-- Repositories that are older than their full name get it: catalogs and transfers go by it.

update repositories set full_name = (select name from namespaces where id = namespace_id) || '/' || name
where full_name = '';
