import { testSums } from "./random-sums.js";

testSums("in memory, with a policy and a ladder", 15);
