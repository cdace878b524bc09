internal import Glibc

/// A process that runs, or has ended while its output is still read.
struct ProcessSlot {
    /// Process id, which is also its session and its group.
    var pid: Int32 = 0
    /// Becomes readable when the process has ended; -1 once it was reaped.
    var handle: Int32 = -1
    /// Ends of pipes to read from; -1 once everything was read.
    var output: Int32 = -1
    var error: Int32 = -1
    /// Their other ends, which are held until the process has ended: a program that ends would else
    /// wake this one for each of them, and then for its end.
    var held: (output: Int32, error: Int32) = (-1, -1)
    /// Monotonic nanoseconds.
    var started: UInt64 = 0
    /// When something has to be done: the time limit, the end of a grace period.
    var deadline: UInt64?
    /// Why it is being ended.
    var cause = ProcessEnd.Cause.itself
    /// Whether SIGTERM was sent.
    var isStopping = false
    /// What it left, once it was reaped.
    var end: ProcessEnd?

    /// Whether the process itself has not been reaped.
    var isRunning: Bool { handle >= 0 }
    /// Whether the slot is in use.
    var isLive: Bool { pid != 0 }
    /// Whether nothing more can come from it.
    var isDone: Bool { isLive && !isRunning && output < 0 && error < 0 }

    /// Closes the ends that are held, so that whoever reads sees when all writers are gone.
    mutating func letGo() {
        if held.output >= 0 { close(held.output) }
        if held.error >= 0 { close(held.error) }
        held = (-1, -1)
    }
}
