import { startSmallEngine, testShortStatements } from "./short-statements.js";

testShortStatements(await startSmallEngine(), 1000, 80);
