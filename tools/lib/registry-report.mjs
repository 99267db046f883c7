// What the tool beside a registry prints: what differed, what was deleted, and what remains to be done by hand.

import { asTyped } from "./steps.mjs";
import { shown } from "./texts.mjs";

/** Lines of one kind; of the others there is the number. */
const MOST = 20;

const short = (digest) => (digest ? shown(digest.slice(0, 19)) : "");
const name = ({ repository, tag }) => shown(tag ? `${repository}:${tag}` : repository);

/** The first lines of a list, and how many more there are. */
const some = (list, line) => {
  const lines = list.slice(0, MOST).map(line);
  return list.length > MOST ? [...lines, `  … and ${list.length - MOST} more`] : lines;
};

/** What a run found, line by line, and in a sentence at the end. */
export function reconcileLines(report, { mode, dry }) {
  const { added, moved, described, gone, unbelieved, refused } = report;
  const lines = [
    ...some(added, (one) => `+ ${name(one)}`),
    ...some(moved, (one) => `~ ${name(one)}  ${short(one.before)} → ${short(one.digest)}`),
    ...some(gone, (one) => `- ${name(one)}`),
    ...some(unbelieved, (one) => `? ${name(one)}`),
    ...some(refused, (line) => `✗ ${shown(asTyped(line))}`),
  ];
  if (mode === "deletions") return lines;
  const tags = (list) => `${list.length} ${list.length === 1 ? "tag" : "tags"}`;
  const parts = [
    added.length && `added ${tags(added)}`,
    moved.length && `moved ${moved.length}`,
    gone.length && `gone ${gone.length}`,
    described.length && `contents of ${described.length}`,
  ].filter(Boolean);
  const rest = [
    unbelieved.length && `not believed: ${tags(unbelieved)} gone`,
    refused.length && `${refused.length} refused`,
  ].filter(Boolean);
  const all = [parts.join(", ") || (rest.length ? "" : "nothing differs"), ...rest].filter(Boolean);
  return [...lines, `${dry ? "would be: " : ""}${all.join("; ")}`];
}

/** What was deleted, and what was not. */
export function deletionLines({ deleted = [], kept = [], failed = [] }, dry) {
  if (!deleted.length && !kept.length && !failed.length) return [];
  return [
    ...some(deleted, (one) => `${dry ? "would delete" : "deleted"} ${name(one)}  ${short(one.digest)}`),
    ...some(kept, (one) => `✗ kept ${name(one)}: ${shown(one.reason)}`),
    ...(kept.some(({ tag }) => tag !== "")
      ? ["It is tried again at each run; a push of the tag withdraws its deletion."]
      : []),
    ...some(failed, (line) => `✗ ${shown(line)}`),
    ...(deleted.length && !dry ? collection() : []),
  ];
}

/** What was chosen to be pruned. */
export function chosenLines(chosen, { dry, known }) {
  const unit = chosen.length === 1 ? "tag is" : "tags are";
  const sentence = `${chosen.length} ${unit} old and unused${dry ? "; nothing was asked for" : ""}`;
  const at = ({ repository, tag }) => known.get(repository).get(tag);
  const day = (time) => (time ? time.slice(0, 10) : "never");
  const line = (one) => `  ${name(one)}  pushed ${day(at(one).pushed_at)}, pulled ${day(at(one).pulled_at)}`;
  return [...some(chosen, line), sentence];
}

/** How the registry itself deletes what is not named any more. */
export const collection = () => [
  "The layers stay until the registry collects garbage, while it is stopped or read-only:",
  "  docker-registry garbage-collect /etc/docker/registry/config.yml",
];

/** What there is for manifests without a tag. */
export const untagged = [
  "No registry lists manifests without a tag. distribution 3 deletes them itself, while it is stopped or read-only:",
  "  registry garbage-collect --delete-untagged /etc/distribution/config.yml",
  "Not so with docker-registry 2.8: its --delete-untagged deletes the images of every index, too.",
];
