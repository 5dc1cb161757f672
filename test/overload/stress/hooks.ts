/** By which the pipeline's thread is told to stand still for so many milliseconds. */
export const STALL_CHANNEL = "coldpath-test-stall";
/** Path of the file that, while it is there, makes the log's disk full. */
export const FULL_DISK_ENV = "COLDPATH_TEST_FULL_DISK";
/** If set, what is missing is not written down. */
export const NO_GAPS_ENV = "COLDPATH_TEST_NO_GAPS";
