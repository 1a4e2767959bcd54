import fc from 'fast-check';
import { expect, test } from 'vitest';
import { itemsOf, servicesOfItems, servicesText } from '../../../providers/gcp/ports.ts';
import { portBounds, type Service } from '../../../providers/provider.ts';

const range = fc
  .tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 6 }))
  .map(([from, more]) => (more === 0 ? `${from}` : `${from}-${from + more}`));
const item = fc.record({
  IPProtocol: fc.constantFrom('tcp', '6', 'TCP', 'udp', '17', 'sctp', '132'),
  ports: fc.array(range, { minLength: 1, maxLength: 4 }),
});
const items = fc.array(item, { minLength: 1, maxLength: 4 });

/** Every single (protocol, port) that is open. */
function doors(services: readonly Service[]): string[] {
  const open = services.flatMap(({ protocol, ports }) => {
    const [from, to] = portBounds(ports);
    return Array.from({ length: to - from + 1 }, (_, index) => `${protocol} ${from + index}`);
  });
  return [...new Set(open)].sort();
}

test('two ways to write the same open ports are one text, and different ports are different texts', () => {
  fc.assert(
    fc.property(items, items, (a, b) => {
      const [x, y] = [servicesOfItems(a), servicesOfItems(b)];
      expect(servicesText(x) === servicesText(y)).toBe(doors(x).join() === doors(y).join());
    }),
  );
});

test('neither the order of items, nor splitting them, nor numbers for names make a difference', () => {
  fc.assert(
    fc.property(items, fc.infiniteStream(fc.nat()), (given, order) => {
      const split = given.flatMap(({ IPProtocol, ports }) =>
        ports.map((port) => ({ IPProtocol, ports: [port], at: order.next().value })),
      );
      split.sort((a, b) => a.at - b.at);
      expect(servicesText(servicesOfItems(split))).toBe(servicesText(servicesOfItems(given)));
    }),
  );
});

test('what is sent opens what was asked for', () => {
  fc.assert(
    fc.property(items, (given) => {
      const services = servicesOfItems(given);
      const sent = itemsOf(services);
      expect(servicesText(servicesOfItems(sent))).toBe(servicesText(services));
      expect(new Set(sent.map(({ IPProtocol }) => IPProtocol)).size).toBe(sent.length);
    }),
  );
});

test.each([
  [[{ IPProtocol: 'tcp', ports: ['6432-6439', '5432'] }], 'tcp:5432,6432-6439'],
  [[{ IPProtocol: 'TCP', ports: ['5433', '5432-5432'] }], 'tcp:5432-5433'],
  [
    [
      { IPProtocol: '17', ports: ['53'] },
      { IPProtocol: '6', ports: ['53'] },
    ],
    'tcp:53 udp:53',
  ],
  [[{ IPProtocol: 'tcp', ports: [] }], 'tcp'],
  [[{ IPProtocol: 'tcp', ports: ['0-100', '90-65535'] }], 'tcp'],
  [[{ IPProtocol: 'icmp', ports: [] }], 'icmp'],
  [
    [
      { IPProtocol: 'all', ports: [] },
      { IPProtocol: 'tcp', ports: ['1'] },
    ],
    'all',
  ],
  [[], ''],
])('%j reads as «%s»', (given, text) => {
  expect(servicesText(servicesOfItems(given))).toBe(text);
});
