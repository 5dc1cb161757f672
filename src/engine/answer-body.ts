import { Readable } from "node:stream";
import type { FastifyReply } from "fastify";
import { compressedBlocks } from "./compressed-block.js";
import { type ContentEncoding, chooseEncoding, encodeContent } from "./content-encoding.js";
import type { AnswerForm } from "./request.js";
import type { WholeResult } from "./whole-result.js";

/** A body in the form that its client asked for. */
interface AnswerBody {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readable;
}

/** Packs the pieces of a body as they come, each at once. */
export async function packAnswer(pieces: AsyncIterable<Buffer>, form: AnswerForm): Promise<AnswerBody> {
  return pack(pieces, form, await chooseEncoding(form.acceptEncoding));
}

/** Sends a result whose length is known, unless packing changes it. */
export async function sendWhole(
  reply: FastifyReply,
  { body, bytes }: Omit<WholeResult<unknown>, "counts">,
  form: AnswerForm,
): Promise<FastifyReply> {
  const encoding = await chooseEncoding(form.acceptEncoding);
  if (encoding === undefined && !form.inBlocks) return reply.header("content-length", bytes).send(body);
  const source = Buffer.isBuffer(body) ? Readable.from([body], { objectMode: false }) : body;
  const packed = pack(source, form, encoding);
  // A client that has gone by now never starts what reads the source.
  packed.body.once("close", () => source.destroy());
  return reply.headers(packed.headers).send(packed.body);
}

function pack(
  pieces: AsyncIterable<Buffer>,
  form: AnswerForm,
  encoding: ContentEncoding | undefined,
): AnswerBody {
  const blocks = form.inBlocks ? compressedBlocks(pieces) : pieces;
  if (encoding === undefined) return { headers: {}, body: Readable.from(blocks, { objectMode: false }) };
  const headers = { "content-encoding": encoding, vary: "Accept-Encoding" };
  return { headers, body: encodeContent(blocks, encoding, form.level) };
}
