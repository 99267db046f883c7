// What Cloudflare asks for what was measured. The prices are those of its pages on 2026-11-28: Workers, D1 and Workers
// Logs, Paid beyond what the $5 a month include, and what the free plan gives a day.

export const DATE = "2026-11-28";

/** Dollars a million. */
const PRICE = { requests: 0.3, cpu: 0.02, read: 0.001, written: 1, logs: 0.6 };
/** What a month of the paid plan includes. */
export const INCLUDED = { requests: 10e6, cpu: 30e6, read: 25e9, written: 50e6, logs: 20e6 };
/** What a day of the free plan has. */
const FREE = { requests: 100_000, read: 5_000_000, written: 100_000, logs: 200_000 };
const NAMES = { requests: "requests", read: "rows read", written: "rows written", logs: "log lines" };

/**
 * What a million of a request costs: `cpu` are milliseconds, `read` and `written` rows, of one. The processor time is that
 * of workerd with its SQLite, which at Cloudflare is another's; every request leaves one line in the log.
 */
export function money({ cpu, read, written }) {
  const used = { requests: 1, cpu, read, written, logs: 1 };
  const dollars = Object.fromEntries(Object.entries(used).map(([name, number]) => [name, number * PRICE[name]]));
  const together = Object.values(dollars).reduce((sum, part) => sum + part, 0);
  const days = Object.entries(FREE).map(([name, most]) => [
    name,
    used[name] ? Math.floor(most / used[name]) : Infinity,
  ]);
  const [first, free] = days.toSorted(([, one], [, other]) => one - other)[0];
  return { used, dollars, together, free, ends: NAMES[first] };
}
