// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { Api, IUpload } from '../../src/api';
import { ApiError } from '../../src/api';
import { Uploads } from '../../src/model';
import type { DatasetRead } from '../../src/schema';
import { dataset, settle } from '../server';

interface ISending {
  upload: IUpload;
  done: (made: DatasetRead) => void;
  fail: (error: Error) => void;
}

function make(): { uploads: Uploads; sendings: ISending[] } {
  const sendings: ISending[] = [];
  const upload = (given: IUpload): Promise<DatasetRead> =>
    new Promise((done, fail) => {
      given.signal?.addEventListener('abort', () => fail(new ApiError('aborted', 'Cancelled.')));
      sendings.push({ upload: given, done, fail });
    });
  return { uploads: new Uploads({ upload } as unknown as Api), sendings };
}

const file = (filename: string): { filename: string; read: () => Promise<Blob> } => ({
  filename,
  read: async () => new Blob(['a,b\n1,2\n'])
});

describe('Uploads', () => {
  it('sends two at a time, in order', async () => {
    const { uploads, sendings } = make();
    uploads.add(['1.csv', '2.csv', '3.csv'].map(file));
    await settle();
    expect(sendings.map(each => each.upload.filename)).toEqual(['1.csv', '2.csv']);
    expect(uploads.items.map(each => each.state)).toEqual(['sending', 'sending', 'waiting']);
    sendings[0].done(dataset('d1'));
    await settle();
    expect(sendings.map(each => each.upload.filename)).toEqual(['1.csv', '2.csv', '3.csv']);
    expect(uploads.items.map(each => each.filename)).toEqual(['2.csv', '3.csv']);
  });

  it('gives the dataset on and remembers which file it was', async () => {
    const { uploads, sendings } = make();
    const made: string[] = [];
    uploads.sent.connect((_, each) => made.push(each.id));
    uploads.add([file('1.csv')]);
    await settle();
    const [{ key }] = uploads.items;
    sendings[0].upload.onProgress?.(4);
    expect(uploads.get(key)).toMatchObject({ sent: 4, size: 8 });
    sendings[0].done(dataset('d1'));
    await settle();
    expect(made).toEqual(['d1']);
    expect(uploads.keyOf('d1')).toBe(key);
    expect(uploads.items).toEqual([]);
  });

  it('keeps a file that failed until it is sent again or put away', async () => {
    const { uploads, sendings } = make();
    uploads.add([file('1.csv')]);
    await settle();
    const [{ key }] = uploads.items;
    sendings[0].fail(new ApiError('storage_full', 'There is no room left.', 507));
    await settle();
    expect(uploads.get(key)).toMatchObject({
      state: 'failed',
      failure: { message: 'There is no room left.' }
    });
    uploads.retry(key);
    await settle();
    expect(sendings).toHaveLength(2);
    sendings[1].fail(new ApiError('storage_full', 'There is no room left.', 507));
    await settle();
    uploads.drop(key);
    expect(uploads.items).toEqual([]);
  });

  it('fails a file that cannot be read at all, and goes on with the next', async () => {
    const { uploads, sendings } = make();
    uploads.add([
      { filename: 'gone.csv', read: () => Promise.reject(new Error('No such file.')) },
      file('2.csv')
    ]);
    await settle();
    expect(uploads.items[0]).toMatchObject({ state: 'failed', failure: { message: 'No such file.' } });
    expect(sendings.map(each => each.upload.filename)).toEqual(['2.csv']);
  });

  it('stops a file that is cancelled on its way, without calling it a failure', async () => {
    const { uploads, sendings } = make();
    uploads.add([file('1.csv')]);
    await settle();
    uploads.drop(uploads.items[0].key);
    await settle();
    expect(sendings[0].upload.signal?.aborted).toBe(true);
    expect(uploads.items).toEqual([]);
  });
});
