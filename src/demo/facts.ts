/** Questions that the claims of the scenario ask of what was seen. */
import type { Seen } from './seen.ts';
import { RULE } from './stage.ts';

/** Whether both hold the same, in any order. */
export function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.toSorted().join() === b.toSorted().join();
}

export function wroteNothing({ writes, file }: Seen): boolean {
  return writes.length === 0 && file.before === file.after;
}

export function apiCalls({ report }: Seen): number {
  return report.targets.reduce((sum, target) => sum + target.apiCalls, 0);
}

/** How many addresses each target is to be given. */
export function adds({ report }: Seen): string[] {
  return report.targets.map(({ changes }) => {
    const added = changes.flatMap(({ action, cidr }) => (action === 'add' ? [cidr] : []));
    return String(new Set(added).size);
  });
}

/** On how many targets the removal of an address is pending. */
export function pending({ report }: Seen, address: string): number {
  return report.targets.filter(({ pendingRemovals }) =>
    pendingRemovals.some(({ cidr }) => cidr === `${address}/32`),
  ).length;
}

export function drifts({ report }: Seen, target: string, cause: string, address: string): boolean {
  const drift = report.targets.find(({ name }) => name === target)?.drift ?? [];
  return drift.some((one) => one.cause === cause && one.cidr === `${address}/32`);
}

/** The settings that are to be brought back. */
export function edits({ report }: Seen, target: string): string[] {
  const changes = report.targets.find(({ name }) => name === target)?.changes ?? [];
  return changes.flatMap(({ action, field }) => (action === 'update' && field ? [field] : []));
}

export function told({ alerts }: Seen, type: string): boolean {
  return alerts.some((alert) => alert.type === type);
}

/** The addresses in the file. */
export function allowlistOf({ file }: Seen): string[] {
  return [...file.after.matchAll(/^([\d.]+)\/32$/gm)].flatMap(([, address]) => address ?? []);
}

export function gcpRuleIs({ stage }: Seen, wanted: { ports: readonly string[]; priority: number }): boolean {
  const rule = stage.compute.rule(stage.project, RULE);
  const ports = rule?.allowed?.flatMap((one) => one.ports ?? []) ?? [];
  return rule?.priority === wanted.priority && same(ports, wanted.ports);
}
