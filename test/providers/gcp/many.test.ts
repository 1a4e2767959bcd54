import { executionAsyncResource } from 'node:async_hooks';
import { expect, test } from 'vitest';
import { emulator, openAt, PROJECT } from './fixture.ts';

test('however many clients a daemon has opened, its promises carry no more than those of the first', async () => {
  const { url } = await emulator({ project: PROJECT });
  const carried: number[] = [];
  for (let nth = 0; nth < 4; nth += 1) {
    const { opened } = await openAt(url, {}, undefined, {
      afterAttempt: () => void carried.push(Object.getOwnPropertySymbols(executionAsyncResource()).length),
    });
    await opened.read();
  }
  expect(carried).toEqual([carried[0], carried[0], carried[0], carried[0]]);
});
