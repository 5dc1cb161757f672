import { testSums, WAYS } from "./random-sums.js";

for (const way of Object.keys(WAYS)) testSums(way, 48);
