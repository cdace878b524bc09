internal import CFiles
internal import PipelineIR

/// Brings the memo of a job up to date after a few steps were looked at or ran again.
struct JobMemoRevision {
    private let earlier: JobMemo
    private let folder: Folder
    private let memory: DigestMemory
    private var records: [danube_record]
    private var unsettled: Set<UInt32>

    /// Begins with what was known.
    init(_ earlier: JobMemo, folder: Folder, memory: DigestMemory) {
        self.earlier = earlier
        self.folder = folder
        self.memory = memory
        records = earlier.records
        unsettled = earlier.unsettled
    }

    /// Looks at the paths of a step again. False when they are not the paths that it had.
    mutating func revise(_ step: Int, inputs: FileTree, outputs: FileTree) -> Bool {
        var isSettled = true
        let pairs = [(earlier.inputs(of: step), inputs), (earlier.outputs(of: step), outputs)]
        for (known, tree) in pairs {
            guard known.count == tree.entries.count else { return false }
            for (record, entry) in zip(known, tree.entries) {
                guard earlier.path(of: record) == entry.path else { return false }
                let look = MemoLook(entry, folder, memory)
                var found = look.record
                found.path = records[Int(record)].path
                records[Int(record)] = found
                isSettled = isSettled && look.isSettled
            }
        }
        if isSettled {
            unsettled.remove(UInt32(step))
        } else {
            unsettled.insert(UInt32(step))
        }
        return true
    }

    /// The memo of the new job.
    func finish(job: String) -> JobMemo {
        JobMemo(
            job: job, pipeline: earlier.pipeline, digest: earlier.digest,
            stepCount: earlier.stepCount, records: records, paths: earlier.paths,
            begins: earlier.begins, references: earlier.references, unsettled: unsettled)
    }
}

/// What a path is now, and whether that is what it should be.
struct MemoLook {
    /// As a memo keeps it.
    let record: danube_record
    /// Whether it is what it should be, and any later change will be seen.
    let isSettled: Bool

    /// Looks at a path beneath a folder.
    init(_ entry: FileTree.Entry, _ folder: Folder, _ memory: DigestMemory) {
        let stamp = try? folder.stamp(entry.path)
        record = danube_record(stamp)
        guard let stamp else {
            isSettled = false
            return
        }
        switch (entry.node, stamp.kind) {
        case (.folder, .folder): isSettled = memory.isSettled(stamp)
        case (.link(let target), .link):
            isSettled =
                (try? folder.target(of: entry.path)) == target && memory.isSettled(stamp)
        case (.file(let digest, _, let isExecutable), .file):
            // Only a digest that belongs to this very stamp proves the content.
            isSettled =
                stamp.isExecutable == isExecutable
                && memory.digest(of: entry.path, stamp) == digest
        default: isSettled = false
        }
    }
}

extension danube_record {
    /// What a stamp says; nothing there without one.
    init(_ stamp: FileStamp?) {
        self.init()
        guard let stamp else { return }
        kind = stamp.kind.letter
        mode = stamp.mode
        inode = stamp.inode
        size = stamp.size
        modified = stamp.modified
        changed = stamp.changed
    }
}
