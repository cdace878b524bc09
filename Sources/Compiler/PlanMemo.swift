internal import Glibc
internal import PipelineIR

/// Takes an earlier compilation of the same request, and keeps a new one.
///
/// Another build of this program or of the evaluator may compile the same file to another plan, so
/// both are part of the key.
struct PlanMemo {
    private let store: MemoStore
    private let key: Digest

    /// `nil` where nothing can be kept, or where it is not known which programs would compile.
    init?(_ request: CompileRequest) {
        guard let store = MemoStore(), let program = try? BridgeLocation.find(),
            let evaluator = Self.stamp(of: program),
            let compiler = Self.stamp(of: "/proc/self/exe")
        else { return nil }
        self.store = store
        key = Self.key(request, programs: [evaluator, compiler])
    }

    /// The earlier compilation, if everything that it was made of is unchanged.
    func find(_ source: any RepositorySource, _ request: CompileRequest) -> Compilation? {
        guard
            let bytes = store.find(
                Self.key(key, source), source: source, context: Repository.context(request))
        else { return nil }
        guard var found = try? MemoResult.decode(bytes) else { return nil }
        if request.form != .proto, let bytes = found.protoBytes {
            guard let plan = try? PlanProto.decode(bytes) else { return nil }
            found.plan = plan
        }
        return found
    }

    /// Keeps a compilation, unless it could differ when it is done again.
    func keep(_ compilation: Compilation, reads: RecordedSource, context: RecordedContext) {
        // Limits on time and memory depend on the machine and its load.
        let isSteady = !compilation.diagnostics.contains { $0.code.hasPrefix("DNB8") }
        guard isSteady, reads.isStable, context.isWhole,
            compilation.plan == nil || compilation.protoBytes != nil
        else { return }
        store.keep(
            Self.key(key, identity: reads.identity), reads: reads.reads, context: context.values,
            python: reads.python, result: MemoResult.encode(compilation))
    }

    private static func key(_ request: CompileRequest, programs: [String]) -> Digest {
        let limits = request.limits
        let numbers = [
            limits.memoryBytes, limits.steps, limits.paths, limits.resultBytes, limits.nesting,
            limits.outputBytes, request.audit ? 1 : 0,
        ]
        let trigger = request.trigger
        var parts: [String?] = ["danube plans 2"] + programs
        parts += [
            request.root, request.file, request.pipeline,
            request.revision, trigger.event, trigger.branch, trigger.tag,
            String(trigger.time), trigger.given.canonical, "\(limits.wallClock)",
        ]
        parts += numbers.map { String($0) }
        for (name, value) in request.parameters { parts += [name, value] }
        return digest(parts)
    }

    private static func key(_ key: Digest, _ source: any RepositorySource) -> Digest {
        self.key(key, identity: source.identity)
    }

    private static func key(_ key: Digest, identity: String) -> Digest {
        digest([key.hex, identity])
    }

    /// A digest of texts that no other list of texts has.
    private static func digest(_ parts: [String?]) -> Digest {
        var writer = MarshalWriter()
        writer.tuple(parts.count)
        for part in parts { writer.string(part) }
        return Digest(of: writer.bytes)
    }

    /// What tells one build of a program, with the SDK in it, from another.
    private static func stamp(of program: String) -> String? {
        var status = Glibc.stat()
        guard stat(program, &status) == 0 else { return nil }
        let time = status.st_mtim
        return "\(program) \(status.st_ino) \(status.st_size) \(time.tv_sec).\(time.tv_nsec)"
    }
}
