internal import CFiles
internal import Glibc
internal import PipelineIR

/// Gathers what a job has looked at, step by step in the plan's order.
struct JobMemoBuilder {
    private let folder: Folder
    private let memory: DigestMemory
    private var records: [danube_record] = []
    private var paths: [CChar] = []
    private var begins: [UInt32] = [0]
    private var references: [UInt32] = []
    private var unsettled: Set<UInt32> = []
    private var numbers: [TreePath: UInt32] = [:]
    private var stepCount = 0
    /// Folders that were walked for globs, by the globs.
    private var walked: [[String]: [UInt32]] = [:]

    /// Begins a memo of a working copy.
    init(folder: Folder, memory: DigestMemory) {
        self.folder = folder
        self.memory = memory
    }

    /// Adds a step that depends on no file, such as one that was skipped.
    mutating func addNothing() {
        begins += [UInt32(references.count), UInt32(references.count)]
        stepCount += 1
    }

    /// Adds a step whose result is in the cache. What is in the working copy now is compared with
    /// what its key was made of; where it differs, the step stays unsettled.
    mutating func add(inputs: FileTree, globs: [String], outputs: FileTree) {
        var isSettled = true
        for entry in inputs.entries { isSettled = refer(to: entry) && isSettled }
        isSettled = refer(toFoldersOf: globs) && isSettled
        begins.append(UInt32(references.count))
        for entry in outputs.entries { isSettled = refer(to: entry) && isSettled }
        end(isSettled: isSettled)
    }

    /// Adds a step by what its files were before they were read, and after they were written.
    mutating func add(
        read: [(TreePath, FileStamp)], written: [(TreePath, FileStamp)]
    ) {
        for (path, stamp) in read { references.append(number(of: path, stamp)) }
        begins.append(UInt32(references.count))
        for (path, stamp) in written { references.append(number(of: path, stamp)) }
        end(isSettled: !(read + written).contains { !memory.isSettled($0.1) })
    }

    /// Adds a step that is as an earlier job left it.
    mutating func add(_ step: Int, of memo: JobMemo) {
        for record in memo.inputs(of: step) { references.append(copy(record, of: memo)) }
        begins.append(UInt32(references.count))
        for record in memo.outputs(of: step) { references.append(copy(record, of: memo)) }
        end(isSettled: true)
    }

    /// The memo.
    func finish(job: String, pipeline: String, digest: PlanDigest) -> JobMemo {
        JobMemo(
            job: job, pipeline: pipeline, digest: digest, stepCount: stepCount, records: records,
            paths: paths, begins: begins,
            references: references, unsettled: unsettled)
    }

    private mutating func end(isSettled: Bool) {
        begins.append(UInt32(references.count))
        if !isSettled { unsettled.insert(UInt32(stepCount)) }
        stepCount += 1
    }

    private mutating func copy(_ record: UInt32, of memo: JobMemo) -> UInt32 {
        let path = memo.path(of: record)
        if let known = numbers[path] { return known }
        return append(path, memo.records[Int(record)])
    }

    /// Refers to a path as it is now. False when it is not what it should be.
    private mutating func refer(to entry: FileTree.Entry) -> Bool {
        let look = MemoLook(entry, folder, memory)
        references.append(numbers[entry.path] ?? append(entry.path, look.record))
        return look.isSettled
    }

    /// Refers to the folders in which a new file could be covered by globs.
    private mutating func refer(toFoldersOf globs: [String]) -> Bool {
        if let known = walked[globs] {
            references += known
            return true
        }
        let before = references.count
        var isSettled = true
        do {
            let parsed = try globs.map { try Glob($0) }
            let scan = try TreeScan(folder, parsed, seesFolders: true)
            for path in scan.folders {
                let stamp = try folder.stamp(path)
                references.append(number(of: path, stamp))
                if let stamp, !memory.isSettled(stamp) { isSettled = false }
            }
            // A plain path at which nothing is: something may come.
            for path in parsed.compactMap(\.literal) where try folder.stamp(path) == nil {
                references.append(number(of: path, nil))
            }
        } catch {
            return false
        }
        if isSettled { walked[globs] = Array(references[before...]) }
        return isSettled
    }

    private mutating func number(of path: TreePath, _ stamp: FileStamp?) -> UInt32 {
        numbers[path] ?? append(path, danube_record(stamp))
    }

    private mutating func append(_ path: TreePath, _ record: danube_record) -> UInt32 {
        var record = record
        record.path = UInt32(truncatingIfNeeded: paths.count)
        if path.isRoot { paths.append(CChar(UInt8(ascii: "."))) }
        for byte in path.bytes { paths.append(CChar(bitPattern: byte)) }
        paths.append(0)
        let number = UInt32(records.count)
        records.append(record)
        numbers[path] = number
        return number
    }
}
