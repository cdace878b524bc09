import Compiler
import Executor
import Glibc
import PipelineIR

/// What the journal of a job tells of engines before this one.
struct EarlierEngines {
    /// Digest of the plan that the first of them compiled; `nil` where none came so far.
    private(set) var digest: String?
    /// What they did.
    private(set) var run = EarlierRun()

    private static let mostJournalBytes = 1 << 30
    private static let mostPlanBytes = 256 << 20

    /// Reads the journal of a job's folder. A last line that is not whole was never acted on.
    init(folder: String) throws(Failure) {
        let path = "\(folder)/\(JournalFile.name)"
        let bytes = try FileBytes.read(path, limit: Self.mostJournalBytes)
        let boot = Self.boot
        for line in bytes.split(separator: 0x0a) {
            guard let json = try? JSONValue.parse(Array(line)) else { continue }
            switch json["event"]?.text {
            case "engine_started": run.isOfAnotherBoot = json["boot"]?.text != boot
            case "compiled": digest = json["digest"]?.text
            case "step_ended":
                if case .integer(let step)? = json["step"], let index = Int32(exactly: step) {
                    run.reported.insert(StepIndex(Int(index)))
                }
            default: if let event = RecallCoding.event(json) { run.events.append(event) }
            }
        }
    }

    /// The plan that was compiled then.
    func plan(in folder: String) throws(Failure) -> (plan: Plan, digest: PlanDigest)? {
        guard let digest else { return nil }
        let path = "\(folder)/plan"
        let bytes = try FileBytes.read(path, limit: Self.mostPlanBytes)
        guard digest.hasPrefix("sha256:"),
            let value = Digest(hex: String(digest.dropFirst("sha256:".count)))
        else { throw .environment("the journal names no plan") }
        do {
            return (try PlanProto.decode(bytes, isKnown: false), PlanDigest(value))
        } catch {
            throw .environment("\(path) cannot be read: \(error)")
        }
    }

    /// What tells this start of the machine from others.
    static var boot: String {
        let bytes = (try? FileBytes.read("/proc/sys/kernel/random/boot_id", limit: 64)) ?? []
        return String(decoding: bytes.prefix(36), as: UTF8.self)
    }
}
