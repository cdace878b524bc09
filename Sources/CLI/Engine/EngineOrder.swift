import Compiler
import Executor
import PipelineIR

/// What a master asks an engine to do: the file `order.json` of a job's folder.
///
/// An object with these members: `job`, `root`, `revision`, `file`, `cache` (texts, all needed),
/// `pipeline`, `event`, `branch` (texts), `parameters` (an object of texts), `slots` (an integer),
/// `host` (a boolean), `secrets` (whether standard input has them, as an object of texts),
/// `grouped` (whether its turn in a concurrency group has come, or another than that of its plan
/// was asked for), and `earlier`, the job of which only what failed runs again: an object with
/// `job`, `artifacts` (a folder) and `steps` (an object of states by the ids of steps).
/// `remote_cache` and `remote_cache_token` (texts) are the address of a cache elsewhere, and the
/// file of the token for it, or nothing.
/// `sharing` says which slots all jobs share: `folder`, `count`, `share`, `weight` (a text).
struct EngineOrder {
    var job: JobID
    var compile = Compilations.Order()
    var cache: String
    var slots = 1
    var allowsHost = false
    var readsSecrets = false
    /// Whether it runs although its plan names a concurrency group.
    var isGrouped = false
    var earlier: EarlierJob?
    var sharing: SlotSharing?
    /// A cache elsewhere, and the file of the token for it; empty for none.
    var remoteCache: (url: String, token: String)?

    static let name = "order.json"
    static let mostBytes = 4 << 20
    private static let mostSlots: Int64 = 4096

    /// Reads the order of a job's folder.
    init(folder: String) throws(Failure) {
        let path = "\(folder)/\(Self.name)"
        try self.init(try FileBytes.read(path, limit: Self.mostBytes), from: path)
    }

    /// Reads an order; `path` is for messages.
    init(_ bytes: [UInt8], from path: String) throws(Failure) {
        let value: JSONValue
        do {
            value = try JSONValue.parse(bytes)
        } catch {
            throw .mistake("\(path) is no order: \(error)")
        }
        guard let job = JobID(try Self.text("job", of: value, path)) else {
            throw .mistake("\(path) is no order: `job` is no name of a job")
        }
        self.job = job
        cache = try Self.text("cache", of: value, path)
        compile.root = try Self.text("root", of: value, path)
        compile.revision = try Self.text("revision", of: value, path)
        compile.file = try Self.text("file", of: value, path)
        compile.pipeline = value["pipeline"]?.text
        compile.event = value["event"]?.text ?? compile.event
        compile.branch = value["branch"]?.text
        compile.parameters = (value["parameters"]?.members ?? []).map {
            ($0.key, $0.value.text ?? "")
        }
        compile.form = .proto
        if case .integer(let slots) = value["slots"] {
            self.slots = Int(min(max(1, slots), Self.mostSlots))
        }
        allowsHost = value["host"] == .bool(true)
        readsSecrets = value["secrets"] == .bool(true)
        isGrouped = value["grouped"] == .bool(true)
        remoteCache = value["remote_cache"]?.text.map {
            ($0, value["remote_cache_token"]?.text ?? "")
        }
        sharing = Self.sharing(value["sharing"])
        earlier = Self.earlier(value["earlier"])
    }

    /// Folders of the master that its job has to see, beside its own.
    var visible: [String] {
        [compile.root, cache] + [sharing?.folder, earlier?.artifacts].compactMap(\.self)
    }

    private static func sharing(_ value: JSONValue?) -> SlotSharing? {
        guard let value, let folder = value["folder"]?.text,
            case .integer(let count)? = value["count"]
        else { return nil }
        return SlotSharing(
            folder: folder, count: Int(min(max(1, count), mostSlots)),
            share: value["share"]?.text ?? "",
            weight: value["weight"]?.text.flatMap { Double($0) } ?? 1)
    }

    private static func earlier(_ value: JSONValue?) -> EarlierJob? {
        guard let value, let job = value["job"]?.text.flatMap({ JobID($0) }) else { return nil }
        let states = Dictionary(
            StepRecord.State.allCases.map { ($0.word, $0) }, uniquingKeysWith: { first, _ in first }
        )
        let steps = (value["steps"]?.members ?? []).enumerated().map { index, member in
            let state = member.value.text.flatMap { states[$0] } ?? .open
            return (id: member.key, record: StepRecord(step: index, state: state))
        }
        var earlier = EarlierJob(job: job, steps: steps)
        earlier.artifacts = value["artifacts"]?.text
        return earlier
    }

    private static func text(
        _ key: String, of value: JSONValue, _ path: String
    ) throws(Failure) -> String {
        guard let text = value[key]?.text else {
            throw .mistake("\(path) is no order: it has no text `\(key)`")
        }
        return text
    }
}
