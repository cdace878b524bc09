package import PipelineIR

/// What a run is given.
package struct RunConfiguration {
    /// What is executed.
    package var plan: Plan
    /// The plan in protobuf, to be kept with the history.
    package var planBytes: [UInt8]?
    /// Its digest.
    package var digest: PlanDigest
    /// Why it runs: `manual`, `push`, …
    package var trigger = "manual"
    /// The branch, when there is one.
    package var branch: String?
    /// Absolute path of the repository.
    package var root: String
    /// The commit whose files steps get; `nil` for those of the working copy.
    package var revision: String?
    /// Whether steps run in the working copy.
    package var isInPlace = false
    /// The way of running, as history keeps it.
    var mode: String { isInPlace ? "in-place" : "isolated" }
    /// How many steps may run at once.
    package var jobs = 1
    /// Thousandths of cores that steps may reserve together.
    package var cpuMilli: UInt64 = 0
    /// Bytes of memory that steps may reserve together.
    package var memoryBytes: UInt64 = 0
    /// What is shared with other runs; `nil` for a run by itself.
    package var sharing: SlotSharing?
    /// Secrets that were given.
    package var secrets = SecretValues()
    /// Whether results are taken from the cache and kept in it.
    package var usesCache = true
    /// A cache elsewhere that is used as well.
    package var remoteCache: RemoteCacheUse?
    /// Whether somebody wants to hear why steps run.
    package var explains = false
    /// Bytes that the cache may take; more is collected after the run. `nil` for no limit.
    package var cacheBudget: Int64? = CacheUsage.defaultBudget
    /// Whether steps that name an image run on the host regardless.
    package var allowsHost = false
    /// The cache's folder.
    package var cacheFolder: String
    /// The folder in which history is kept.
    package var stateFolder: String
    /// Where somebody else keeps the job's record: its log and its artifacts go there, and no
    /// history is written. `nil` for a job with a history.
    package var jobFolder: JobFolder?
    /// A folder of the job's own for what steps need for a moment; set when the run begins.
    var temporaryFolder = "/tmp"
    /// Id of the job; set when the run begins.
    var job = ""
    /// The job of which only what failed is run again.
    package var earlier: EarlierJob?
    /// What engines before this one have done of the job; `nil` for a job that begins.
    package var earlierRun: EarlierRun?
    /// The words of `danube run` that ask for this, without secrets.
    package var order: [String] = []
    /// Where a memo of the job is kept; `nil` for none.
    package var memoFile: JobMemoFile?
    /// Namespaces that the engine has, as `danube_engine_start` gave them.
    package var namespaces: Int32 = 0

    /// Creates a configuration to run a plan isolated, one step at a time.
    package init(
        plan: Plan, digest: PlanDigest, root: String, cacheFolder: String, stateFolder: String
    ) {
        self.plan = plan
        self.digest = digest
        self.root = root
        self.cacheFolder = cacheFolder
        self.stateFolder = stateFolder
    }
}
