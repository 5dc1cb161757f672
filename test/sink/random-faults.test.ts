import { testRandomFaults } from "./random-faults.js";

testRandomFaults(2);
