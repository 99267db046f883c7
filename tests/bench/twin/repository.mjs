// The list of images, and the check of a repository token.

import { answer, framed, hmac, keys, role, STATUS, text, unauthorized, unhex } from "./parts.mjs";

/** What a repository token says, or nothing. */
async function claim(env, token, now) {
  const [, signature, name, access] =
    /^signature=([0-9a-f]{156}),repository="([a-z0-9_]{4,30}\/[a-z0-9._/-]{1,224})",access=(read|write|delete)$/.exec(
      token,
    ) ?? [];
  if (!signature) return undefined;
  const bytes = unhex(signature);
  const signed = bytes.subarray(0, 46);
  keys.mac ??= await crypto.subtle.importKey("raw", text.encode(env.TOKEN_KEY), hmac, false, ["verify"]);
  const parts = framed("hublet", "repository token", signed, name, access);
  if (signed[0] !== 1 || !(await crypto.subtle.verify("HMAC", keys.mac, bytes.subarray(46), parts))) return undefined;
  const view = new DataView(signed.buffer);
  const number = (place) => Number(view.getBigInt64(place));
  if (number(5) <= now) return undefined;
  return { kind: bytes[13], user: number(14), number: number(22), repository: number(30), name, access };
}

/** What the database says of a repository to a user, with the list of images where that is asked for. */
const place = (images) =>
  `select r.id, r.private, r.deleted_at, n.owner_id = u.id owner, ${STATUS} status, u.epoch, u.administrator,
     m.role member, c.role collaborator${
       images
         ? `, (select json_group_array(json_object('id', id, 'checksum', checksum)) from
       (select id, checksum from images where repository_id = r.id order by position)) images`
         : ""
     }
   from namespaces n join repositories r on r.namespace_id = n.id left join users u on u.id = ?3
   left join members m on m.namespace_id = n.id and m.user_id = u.id
   left join collaborators c on c.repository_id = r.id and c.user_id = u.id where n.name = ?1 and r.name = ?2`;

/** `GET …/images` and `PUT …/auth` */
export async function repository(asked, env, name, images) {
  const header = asked.headers.authorization?.trim();
  const [, token] = /^token (?:token )?(.+)$/i.exec(header ?? "") ?? [];
  if (!token) return unauthorized("Malformed credentials");
  const said = await claim(env, token.replaceAll(", ", ","), asked.now);
  if (!said) return unauthorized("The token is not valid");
  if (said.name !== name) return unauthorized("The token is for another repository");
  const [namespace, ...rest] = name.split("/");
  const row = await env.DB.prepare(place(images)).bind(namespace, rest.join("/"), said.user).first();
  asked.rounds += 1;
  const current = row?.status === "active" && said.kind === 1 && row.epoch === said.number;
  if (!current) return unauthorized("The token is no longer valid");
  asked.user = said.user;
  asked.credential = `${said.kind}.${said.user}.${said.number}`;
  if (row.id !== said.repository || !role({ ...row, user: said.user }) || row.deleted_at) {
    return answer(404, '"Repository not found"');
  }
  if (!images) return answer(200, '"OK"');
  const vary = "Accept, Authorization, X-Docker-Token";
  return answer(200, row.images, { Vary: vary, "X-Docker-Endpoints": asked.host });
}
