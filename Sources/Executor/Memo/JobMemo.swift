internal import CFiles
internal import Glibc
package import PipelineIR

/// What a job that went well had looked at: enough to tell, by one look at each file, that the same
/// job would do nothing.
///
/// A file is taken for unchanged as `DigestMemory` does. Steps refer to the files and folders that
/// they depend on or wrote, so that after a change only those that it concerns are looked at again.
package struct JobMemo {
    /// The job that did the work.
    package let job: String
    /// The name of its pipeline.
    package let pipeline: String
    /// The digest of its plan.
    package let digest: PlanDigest
    /// How many steps its plan has.
    package let stepCount: Int
    /// Of the files that a job in workspaces of its own began with, the digest of their tree; `nil`
    /// for a job in place.
    var source: Digest?
    let records: [danube_record]
    /// Paths, each ended by NUL.
    let paths: [CChar]
    /// Where the references of each step to what it reads and to what it writes begin in
    /// `references`, and where the last ones end.
    let begins: [UInt32]
    /// Indices of records.
    let references: [UInt32]
    /// Steps that are to be looked at again whatever the files say.
    let unsettled: Set<UInt32>

    /// More changes than this are not worth telling apart.
    static let mostChanges = 4096

    /// What has changed since the job.
    package enum Change: Equatable {
        /// Nothing: the job would do nothing.
        case nothing
        /// These records, and what depends on them.
        case some([UInt32])
        /// So much that it is not worth telling apart.
        case much
    }

    /// Whether a job in workspaces of its own would do nothing: it would begin with the same files,
    /// and what it put into the working copy is there.
    package func isUnchanged(root: String, cacheFolder: String) -> Bool {
        guard let source, changes(beneath: root) == .nothing, let folder = try? Folder(root) else {
            return false
        }
        let memory = DigestMemory(of: root, folder: folder, cacheFolder: cacheFolder)
        return (try? SourceTree.workingCopy(root, memory: memory, into: nil))?.digest == source
    }

    /// Looks at everything.
    package func changes(beneath root: String) -> Change {
        let folder = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return .much }
        defer { close(folder) }
        var found = [UInt32](repeating: 0, count: 2 * Self.mostChanges)
        let count = danube_find_changed(
            folder, paths, records, records.count, &found, found.count)
        if count > found.count { return .much }
        if count == 0, unsettled.isEmpty { return .nothing }
        return .some(Array(found.prefix(count)))
    }

    /// The records of what a step reads.
    func inputs(of step: Int) -> ArraySlice<UInt32> {
        references[Int(begins[2 * step])..<Int(begins[2 * step + 1])]
    }

    /// The records of what a step writes.
    func outputs(of step: Int) -> ArraySlice<UInt32> {
        references[Int(begins[2 * step + 1])..<Int(begins[2 * step + 2])]
    }

    /// The path of a record.
    func path(of record: UInt32) -> TreePath {
        let start = Int(records[Int(record)].path)
        let bytes = paths[start...].prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return TreePath(unchecked: Array(bytes))
    }
}

/// Which steps of a job need not be looked at.
final class MemoState {
    let memo: JobMemo
    /// The job that did the work, as history names it.
    let source: JobID?
    private var isChanged: [Bool]

    /// Begins with what has changed.
    init(_ memo: JobMemo, changed: [UInt32]) {
        self.memo = memo
        source = JobID(memo.job)
        isChanged = Array(repeating: false, count: memo.records.count)
        for record in changed { isChanged[Int(record)] = true }
    }

    /// Whether nothing that a step depends on or wrote has changed.
    func isClean(_ step: StepIndex) -> Bool {
        guard step.int < memo.stepCount, !memo.unsettled.contains(UInt32(step.value)) else {
            return false
        }
        let inputs = memo.inputs(of: step.int)
        let outputs = memo.outputs(of: step.int)
        if inputs.isEmpty && outputs.isEmpty { return false }
        return inputs.allSatisfy { !isChanged[Int($0)] }
            && outputs.allSatisfy { !isChanged[Int($0)] }
    }

    /// Notes that a step was looked at or ran: what it writes may have changed.
    func touched(_ step: StepIndex) {
        guard step.int < memo.stepCount else { return }
        for record in memo.outputs(of: step.int) { isChanged[Int(record)] = true }
    }
}
