import { after } from "node:test";
import { startTestEngine } from "../support/engine.js";
import { testStoredAsGiven } from "./stored-as-given.js";

testStoredAsGiven((await startTestEngine({ after })).clickhouse, 400);
