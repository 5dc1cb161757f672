import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { cityHash128 } from "../../src/engine/city-hash.js";
import { ask, startTestEngine } from "../support/engine.js";

/** Length of a text of {@link bytesOf} and its hash by `CH128` of the Go module `github.com/go-faster/city` 1.0.1. */
const VECTORS: readonly (readonly [length: number, hash: string])[] = [
  [0, "2b9ac064fc9df03d291ee592c340b53c"],
  [1, "35cb458e18a1b57b3bf5e8762a3f1bbe"],
  [3, "97dbaa4b23873359d76f4da14aa02cab"],
  [4, "409d628d699652201cc3295de318c7c2"],
  [7, "4c63a06ca64b18b8a9dba28e6dfa96cb"],
  [8, "35ae07e23589d0560464a5e6f6556a39"],
  [9, "cc11223d25f91533e0a49787ca80e17b"],
  [12, "7612af5fa8a6527225d039993134d56b"],
  [15, "4ca75bbb48fd3f258febd8c8103df2ae"],
  [16, "bfae257a6638548d79bae02d6e787d93"],
  [17, "51235b76d274fc40a07d35002977b55c"],
  [24, "204a192efd3a4a5d45e70adcf4f35860"],
  [31, "c3b47507b0f3897db290089db28dec5b"],
  [32, "70929bd4f66947731d61107ea8611688"],
  [33, "20cc5e1b3d60a4785c63d322e03ae7a3"],
  [47, "822809861d8416704413e94d0673a1c8"],
  [64, "82370a6a0cb3c33a52aa264c8070ebb3"],
  [100, "fc54039fc865dd45bd873cf0359ddd79"],
  [127, "d52392c1b1b3578b49f0cbed3c55480a"],
  [128, "7da0f3976e184cf851ea0beac5020800"],
  [143, "71aec16a5ca409dd6b91fcf7c7447ca3"],
  [144, "a8d1fad616aa5a21f10f4dac7275ced4"],
  [145, "04e240604874d77f9622548934b1003a"],
  [159, "a423211da52acc53ff5cf5b7d7847f39"],
  [160, "f7a95f2f89e27883d60eddba028fbc55"],
  [200, "2d59868a50028ae109665a8668d47cdb"],
  [255, "0d542c8af13b9dee00b914f4a2526925"],
  [256, "531f95ff6f4d6e393e843bf2799f3a14"],
  [272, "4691a6807d1753ed7332b71a29bb0106"],
  [300, "d508f6cf8a6108016981b971d161a155"],
  [512, "79840ae483b5044d0c74f6802fc5bda1"],
  [1000, "8d5fdca12058a718a5277c14dd8639b0"],
  [1024, "0385b1354c159f59477e0389404bd0d4"],
  [4096, "1d4016879848e3d876fa64c294fe9058"],
  [65536, "f784baa55c3af8e1236145b8d61e290d"],
  [100003, "c969ee4b64e41004591a36b298e6a6cc"],
];

/** The upper bytes of a linear generator that starts at the length plus one. */
function bytesOf(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = length + 1;
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}

test("hashes are those of another implementation", () => {
  for (const [length, hash] of VECTORS) assert.equal(cityHash128(bytesOf(length)).toString("hex"), hash);
});

test("hashes are those by which the engine checks its own files", async () => {
  const { engine, dataDir } = await startTestEngine({ after });
  const run = async (body: string): Promise<void> => assert.equal((await ask(engine, { body })).status, 200);
  await run(
    "CREATE TABLE t (n UInt64, s String) ENGINE = MergeTree ORDER BY n SETTINGS min_bytes_for_wide_part = 0",
  );
  await run("INSERT INTO t SELECT number, hex(sipHash128(number)) FROM numbers(200000)");
  let blocks = 0;
  const files = readdirSync(dataDir, { recursive: true, encoding: "utf8" }).filter((name) =>
    /all_\d[^/]*\/[ns]\.bin$/.test(name),
  );
  for (const name of files) {
    const file = readFileSync(join(dataDir, name));
    for (let at = 0; at < file.length; blocks++) {
      const end = at + 16 + file.readUInt32LE(at + 17);
      assert.deepEqual(cityHash128(file.subarray(at + 16, end)), file.subarray(at, at + 16));
      at = end;
    }
  }
  assert.ok(blocks > 10, `${blocks} blocks`);
});
