package import PipelineIR

extension Schedule {
    /// What happened outside. Events that come late or twice are ignored and counted.
    package enum Event: Sendable, Hashable {
        /// The job begins.
        case start
        /// A `probe` command was performed.
        case probed(StepIndex, ProbeResult)
        /// An attempt has ended, and nothing of it is alive, but what came of it is still being
        /// kept: what it had reserved is free. `exited` follows.
        case vacated(StepIndex, attempt: Int)
        /// An attempt has ended; nothing of it is alive.
        case exited(StepIndex, attempt: Int, AttemptOutcome)
        /// An `upload` command was performed; nil is success, else why it failed.
        case uploaded(StepIndex, failure: String?)
        /// The time of a `wake` command has come.
        case wake
        /// The job is to end before its end.
        case cancel(Urgency)
        /// Of a schedule that recalls: an engine before this one had begun to look the step up
        /// (attempt 0), or an attempt. How that ended is told as it would have been then.
        case recalled(StepIndex, attempt: Int)
        /// Of a schedule that recalls: all that was done before is told, and the rest starts.
        case resume
    }

    /// What looking into the cache gave.
    package enum ProbeResult: Sendable, Hashable {
        case hit(StepResult)
        case miss
        /// Its result cannot be kept, such as when an input changes while it is read.
        case uncacheable
        /// The cache could not be read; the step runs.
        case failed(String)
    }

    /// How a job is cancelled.
    package enum Urgency: UInt8, Sendable, Hashable {
        /// Running steps are asked to end, and what cleans up after them runs.
        case orderly
        /// Running steps are killed, and nothing starts.
        case now
    }

    /// What is to be done outside.
    package enum Command: Sendable, Hashable {
        /// Compute the step's key and look it up; answer with `probed`.
        case probe(StepIndex)
        /// Start an attempt, counted from 1; answer with `exited`.
        case start(StepIndex, attempt: Int)
        /// Stop an attempt; its `exited` still comes. May be said again, more urgently.
        case stop(StepIndex, attempt: Int, immediately: Bool)
        /// Keep files; answer with `uploaded`.
        case upload(StepIndex)
        /// The step does not run; its workspace passes through.
        case skip(StepIndex)
        /// Say a note of the plan, by its index in `Plan.notes`.
        case note(Int)
        /// Send `wake` then, at the latest. Of several the earliest counts.
        case wake(at: Instant)
        /// The job has ended; nothing of it is alive. The last command.
        case finish(JobOutcome)
    }

    /// How much may be done at once.
    package struct Limits: Sendable, Hashable {
        /// Attempts and uploads alive at once; at least 1.
        package var jobs: Int
        /// Thousandths of cores that they reserve together; 0 means no limit.
        package var cpuMilli: UInt64
        /// Bytes of memory that they reserve together; 0 means no limit.
        package var memoryBytes: UInt64
        /// Lookups in the cache at once; at least 1.
        package var probes: Int
        /// Whether there is a cache to look into.
        package var usesCache: Bool
        /// Bounds what runs at once; 0 stands for no bound on processors or memory.
        package init(
            jobs: Int, cpuMilli: UInt64 = 0, memoryBytes: UInt64 = 0, probes: Int = 64,
            usesCache: Bool = true
        ) {
            self.jobs = max(1, jobs)
            // Kept so far from the end of the type that no sum of reservations can overflow.
            self.cpuMilli = min(cpuMilli, 1 << 62)
            self.memoryBytes = min(memoryBytes, 1 << 62)
            self.probes = max(1, probes)
            self.usesCache = usesCache
        }
    }
}
