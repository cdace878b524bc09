import ArgumentParser
import CSandbox
import Compiler
import Executor
import Glibc
import PipelineIR

/// `danube run`.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run a pipeline on this machine.",
        discussion: """
            Steps run in workspaces of their own, which begin with the files of the working copy \
            that git does not ignore, or with those of a commit (--rev). What the pipeline uploads \
            is put into danube-out/. With --in-place they run in the working copy, as make would.
            """)

    @Argument(help: "The pipeline, when the file has several.")
    var pipeline: String?

    @OptionGroup var source: SourceOptions

    @Flag(help: "Run the steps in the working copy.")
    var inPlace = false

    @OptionGroup var execution: ExecutionOptions
    @OptionGroup var target: PipelineOptions

    @Option(help: "Why it runs: push, pull_request, tag, cron, manual.")
    var event: PlanEvent?

    @Flag(help: "Run steps that name an image on this machine regardless.")
    var host = false

    @Flag(help: "Take nothing from the cache, and keep nothing in it.")
    var noCache = false

    @Flag(help: "Run again whenever files have changed, until Ctrl-C.")
    var watch = false

    @Flag(help: "Say of each step whether it is in the cache, and run nothing.")
    var dryRun = false

    @Option(
        help: ArgumentHelp(
            "What the cache may take (default: DANUBE_CACHE_SIZE, or 10Gi; 0 for no limit).",
            valueName: "size"))
    var cacheSize: String?

    @OptionGroup var remote: RemoteCacheOptions
    @OptionGroup var display: RunDisplayOptions
    @OptionGroup(title: "Limits") var limits: LimitOptions

    func validate() throws {
        if watch, source.rev != nil {
            throw ValidationError("--watch is for the working copy; --rev names a commit.")
        }
        if inPlace, source.rev != nil {
            throw ValidationError("--in-place runs in the working copy; --rev names another one.")
        }
    }

    func run() throws {
        if dryRun { return try forecast() }
        if watch { return try runAndWatch() }
        try run(after: nil)
    }

    /// Runs; after an earlier job, only what failed in it.
    func run(after job: EarlierJob?) throws {
        let namespaces = danube_engine_start(wantedNamespaces)
        guard namespaces >= 0 else {
            throw Failure.environment("cannot start: \(FileBytes.reason(-namespaces))")
        }
        do {
            try EngineThread.run { try run(after: job, in: namespaces) }
        } catch let error as RunnerError {
            throw Failure.environment("cannot start: \(error)", hint: error.hint)
        }
    }

    /// Runs in the engine, which has these namespaces.
    private func run(after job: EarlierJob?, in namespaces: Int32) throws {
        let order = try order()
        let compilation = Compilations.compile(order)
        let report = DiagnosticReport(
            denied: [], requireStatic: false,
            terminal: .of(STDERR_FILENO, choice: display.colour.color))
        try report.judge(compilation)
        guard let bytes = compilation.protoBytes else {
            throw Failure.bug("the compiler gave neither a plan nor an error")
        }
        let places = try Places()
        let root = try Places.absolute(order.root)
        var earlier: (memo: JobMemo, changed: [UInt32])?
        let values = try execution.secrets.values()
        let runKey = RunKey.of(
            bytes, root: root, isInPlace: inPlace, allowsHost: host,
            secrets: values.version(cacheFolder: places.cache))
        let memoFile = JobMemoFile(cacheFolder: places.cache, key: runKey)
        let isRemembered = !noCache && source.rev == nil
        if isRemembered, let memo = memoFile.read() {
            switch inPlace ? memo.changes(beneath: root) : unchanged(memo, root, places) {
            case .nothing: return try sayNothingToDo(memo, order, places)
            case .some(let changed): earlier = (memo, changed)
            case .much: break
            }
        }
        let plan: Plan
        do {
            plan =
                try compilation.plan
                ?? PlanProto.decode(bytes, isKnown: compilation.memoised)
        } catch {
            throw Failure.bug("the plan of the plan cache cannot be read: \(error)")
        }
        guard let digest = compilation.digest else {
            throw Failure.bug("the compiler gave a plan without its digest")
        }
        var configuration = try self.configuration(plan, digest, places, root, values)
        configuration.namespaces = namespaces
        configuration.earlier = job
        configuration.order = words(root: root)
        configuration.planBytes = bytes
        configuration.explains = display.explains
        configuration.remoteCache = noCache ? nil : try remote.use()
        configuration.memoFile = isRemembered ? memoFile : nil
        do {
            let run = LocalRun(configuration, observer: display.observer(root: root))
            let summary = try run.run(after: earlier)
            Glibc.exit(summary.outcome == .success ? 0 : 1)
        } catch {
            throw Failure.environment("the run cannot begin: \(error)")
        }
    }

    private func unchanged(_ memo: JobMemo, _ root: String, _ places: Places) -> JobMemo.Change {
        memo.isUnchanged(root: root, cacheFolder: places.cache) ? .nothing : .much
    }

    private func runAndWatch() throws {
        let root = try Places.absolute(source.place.directory)
        let words = CommandLine.arguments.dropFirst().filter { $0 != "--watch" }
        let watch = try RunWatch(
            words: Array(words), root: root, inPlace: inPlace,
            quietly: display.quiet)
        Glibc.exit(try watch.run())
    }

    /// The words that ask for the same again; secrets, and how it is shown, are not among them.
    private func words(root: String) -> [String] {
        var words = ["--directory", root, "--file", source.file]
        if let rev = source.rev { words += ["--rev", rev] }
        if inPlace { words.append("--in-place") }
        if host { words.append("--host") }
        if noCache { words.append("--no-cache") }
        words += remote.words
        if let event { words += ["--event", event.rawValue] }
        words += target.words
        if let pipeline { words += ["--", pipeline] }
        return words
    }

    /// Mounts need a namespace, which for anybody but root has to be within another one, in which
    /// neither `sudo` nor podman works: who asks for copies does without.
    private var wantedNamespaces: Int32 {
        if inPlace || Workspaces.areCopiesWanted && geteuid() != 0 { return 0 }
        return Int32(DANUBE_OWN_MOUNTS | DANUBE_OWN_PROCESSES)
    }

    /// Says what a run would do. Nothing is executed, and nothing written.
    private func forecast() throws {
        var order = try order()
        order.memo = false
        let compilation = Compilations.compile(order)
        let report = DiagnosticReport(
            denied: [], requireStatic: false,
            terminal: .of(STDERR_FILENO, choice: display.colour.color))
        try report.judge(compilation)
        guard let bytes = compilation.protoBytes, let digest = compilation.digest,
            let plan = try? PlanProto.decode(bytes)
        else { throw Failure.bug("the compiler gave neither a plan nor an error") }
        let places = try Places()
        var configuration = try configuration(
            plan, digest, places, try Places.absolute(order.root), try execution.secrets.values())
        if wantedNamespaces != 0, geteuid() != 0 {
            configuration.namespaces = wantedNamespaces | Int32(DANUBE_OWN_USERS)
        }
        let forecasts: [StepForecast]
        do {
            var dryRun = try DryRun(configuration)
            forecasts = try dryRun.run()
        } catch {
            throw Failure.environment("what the run would do cannot be told: \(error)")
        }
        let terminal = Terminal.of(STDOUT_FILENO, choice: display.colour.color)
        let shown = ForecastReport(plan: plan, forecasts: forecasts)
        Output.out(display.json ? shown.json() : terminal.shown(shown.text(on: terminal)))
    }

    private func sayNothingToDo(
        _ memo: JobMemo, _ order: Compilations.Order, _ places: Places
    ) throws(Failure) {
        do {
            try LocalRun.record(
                unchanged: memo, root: Places.absolute(order.root),
                trigger: order.event, cacheFolder: places.cache, stateFolder: places.state,
                order: words(root: Places.absolute(order.root)))
        } catch {
            Output.err("danube: warning: this run is not in the history: \(error)")
        }
        display.sayNothingToDo(steps: memo.stepCount, job: memo.job)
    }

    private func configuration(
        _ plan: Plan, _ digest: PlanDigest, _ places: Places, _ root: String,
        _ secrets: SecretValues
    ) throws(Failure) -> RunConfiguration {
        var configuration = RunConfiguration(
            plan: plan, digest: digest, root: root, cacheFolder: places.cache,
            stateFolder: places.state)
        configuration.revision = source.rev
        configuration.isInPlace = inPlace
        configuration.jobs = execution.jobCount
        configuration.usesCache = !noCache
        configuration.cacheBudget = try CacheFolder.budget(cacheSize, option: "--cache-size")
        configuration.allowsHost = host
        configuration.trigger = target.event(event)
        configuration.branch = target.branch
        configuration.secrets = secrets
        return configuration
    }

    private func order() throws(Failure) -> Compilations.Order {
        var order = try source.order()
        order.pipeline = pipeline
        target.fill(&order, event: event)
        order.limits = try limits.limits()
        order.form = .proto
        return order
    }
}
