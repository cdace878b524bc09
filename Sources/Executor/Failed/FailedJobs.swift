internal import CFiles
internal import Glibc
internal import PipelineIR

/// The workspaces of steps that failed, in the folder `failed` of a cache: for each job a folder
/// with a record for each step, the layers that steps wrote, and the trees of what came from the
/// cache. A success makes nothing here.
///
/// A folder is made aside and renamed, and has a lock beside it: whoever makes, opens or removes it
/// holds that alone.
package struct FailedJobs {
    /// Jobs that are kept.
    package static let mostJobs = 3
    /// Bytes that all of them together may take: this, or a fifth of the cache's budget.
    package static let mostBytes: Int64 = 2 << 30
    /// Failed steps that are kept of a job.
    package static let mostSteps = 100
    private static let mostRecordBytes: Int64 = 16 << 20
    private static let mostTreeBytes: Int64 = 1 << 30

    private let folder: String

    /// What is kept, or was removed.
    package struct Amount: Sendable, Equatable {
        package var jobs = 0
        package var bytes: Int64 = 0
    }

    /// Those of the cache in a folder.
    package init(_ cacheFolder: String) { folder = "\(cacheFolder)/failed" }

    /// The bytes that all may take together where the cache has a budget.
    package static func budget(ofCache bytes: Int64?) -> Int64 {
        bytes.map { min(mostBytes, $0 / 5) } ?? mostBytes
    }

    // MARK: Keeping

    /// Keeps the steps of a job, whose layers are moved here: nobody may have them mounted.
    func keep(_ steps: [(index: Int, step: FailedStep, state: WorkspaceState?)], job: String) throws
    {
        try Workspaces.makeFolder(folder)
        chmod(folder, 0o700)
        guard let lock = try LockFile.take(lock(job), .alone) else { return }
        defer { lock.release() }
        let aside = "\(folder)/\(job).new"
        ScratchRemoval.remove(aside)
        do {
            for path in [aside, "\(aside)/layers", "\(aside)/trees", "\(aside)/steps"] {
                try Workspaces.makeFolder(path)
            }
            chmod(aside, 0o700)
            var known: [ObjectIdentifier: FailedStep.Part] = [:]
            for (index, step, state) in steps {
                var step = step
                for layer in state?.layers ?? [] {
                    let part =
                        try known[ObjectIdentifier(layer)]
                        ?? keep(layer, as: String(known.count), in: aside)
                    known[ObjectIdentifier(layer)] = part
                    step.parts.append(part)
                }
                try AtomicFile.write(step.encoded(), to: "\(aside)/steps/\(index)")
            }
            guard rename(aside, "\(folder)/\(job)") == 0 else {
                throw WorkspaceError.system("make", path: "\(folder)/\(job)", errno: errno)
            }
        } catch {
            ScratchRemoval.remove(aside)
            throw error
        }
    }

    private func keep(
        _ layer: Layer, as name: String, in aside: String
    ) throws -> FailedStep.Part {
        if let tree = layer.tree {
            let digest = tree.digest.hex
            let path = "\(aside)/trees/\(digest)"
            if access(path, F_OK) != 0 { try AtomicFile.write(tree.encoded().tree, to: path) }
            return .tree(digest)
        }
        try layer.move(to: "\(aside)/layers/\(name)")
        return .layer(name)
    }

    // MARK: Reading

    /// A job that is kept, held so that nobody removes it.
    package struct Held {
        let folder: String
        private let lock: LockFile

        fileprivate init(folder: String, lock: LockFile) {
            self.folder = folder
            self.lock = lock
        }

        /// What is kept of a step by its place in the plan; `nil` when nothing is, or it is
        /// damaged.
        package func step(_ index: Int) -> FailedStep? {
            AtomicFile.read("\(folder)/steps/\(index)", most: mostRecordBytes)
                .flatMap { FailedStep(encoded: $0) }
        }

        /// The layers of a step's workspace, from the lowest.
        func layers(
            of step: FailedStep, cacheFolder: String, store: ContentStore,
            place: () -> String
        ) throws -> [Layer] {
            var layers: [Layer] = []
            for (number, part) in step.parts.enumerated() {
                switch part {
                case .layer(let name):
                    let path = "\(folder)/layers/\(name)"
                    guard access(path, F_OK) == 0 else {
                        throw WorkspaceError.system("open", path: path, errno: errno)
                    }
                    layers.append(Layer(path: path, owners: [], isKept: true))
                case .tree(let digest):
                    guard let tree = FailedJobs.tree("\(folder)/trees/\(digest)"),
                        tree.digest.hex == digest
                    else {
                        throw WorkspaceError.unmade(
                            path: step.folder, reason: "what is kept of its files is damaged")
                    }
                    if number == 0 {
                        let sources = try SourceFolders(cacheFolder, store: store)
                        layers.append(try sources.layer(of: tree))
                        continue
                    }
                    layers.append(
                        Layer(path: place(), owners: [], tree: tree) { path in
                            try Workspaces.makeFolder(path)
                            var restore = TreeRestore(
                                from: store, into: try Folder(path), by: .link)
                            _ = try restore.restore(tree)
                        })
                }
            }
            return layers
        }

        /// Lets others remove it.
        package func release() { lock.release() }
    }

    /// What became of an attempt to hold a job.
    package enum Holding {
        case held(Held)
        /// Another process has it open.
        case busy
        case absent
    }

    /// Holds a job.
    package func hold(_ job: String) throws -> Holding {
        let path = "\(folder)/\(job)"
        if access(path, F_OK) != 0 { return .absent }
        guard let lock = try LockFile.take(lock(job), .aloneAtOnce) else { return .busy }
        if access(path, F_OK) == 0 { return .held(Held(folder: path, lock: lock)) }
        lock.remove()
        return .absent
    }

    private func lock(_ job: String) -> String { "\(folder)/\(job).lock" }

    private static func tree(_ path: String) -> FileTree? {
        AtomicFile.read(path, most: mostTreeBytes).flatMap { FileTree(tree: $0) }
    }

    /// The contents that workspaces are made of, for which the cache must not be cleared.
    func neededBlobs() -> [Digest] {
        var found: Set<Digest> = []
        for job in jobs() {
            let trees = "\(folder)/\(job)/trees"
            for name in (try? FileComparison.names(in: trees.joined(.root))) ?? [] {
                let path = "\(trees)/\(String(decoding: name, as: UTF8.self))"
                for entry in Self.tree(path)?.entries ?? [] {
                    if case .file(let digest, _, _) = entry.node { found.insert(digest) }
                }
            }
        }
        return Array(found)
    }

    /// Jobs that are kept, the latest first.
    private func jobs() -> [String] {
        guard access(folder, F_OK) == 0,
            let names = try? FileComparison.names(in: folder.joined(.root))
        else { return [] }
        return names.map { String(decoding: $0, as: UTF8.self) }
            .filter { JobID($0) != nil }.sorted(by: >)
    }

    // MARK: Removing

    /// How much is kept.
    package func amount() -> Amount {
        let jobs = jobs()
        return Amount(
            jobs: jobs.count, bytes: jobs.reduce(0) { $0 + Self.bytes(of: "\(folder)/\($1)") })
    }

    /// Removes the oldest jobs until what is left is within the limits. One that is open stays.
    package func collect(budgetBytes: Int64, removes: Bool = true) -> Amount {
        var kept = Amount()
        var removed = Amount()
        for job in jobs() {
            let bytes = Self.bytes(of: "\(folder)/\(job)")
            let isOver = kept.jobs >= Self.mostJobs || kept.bytes + bytes > budgetBytes
            if isOver, !removes || remove(job) {
                removed.jobs += 1
                removed.bytes += bytes
            } else {
                kept.jobs += 1
                kept.bytes += bytes
            }
        }
        if removes { removeLeftovers() }
        return removed
    }

    private func remove(_ job: String) -> Bool {
        guard let lock = try? LockFile.take(lock(job), .aloneAtOnce) else { return false }
        ScratchRemoval.remove("\(folder)/\(job)")
        lock.remove()
        return true
    }

    /// Removes what killed processes left: halves, and locks of nothing.
    private func removeLeftovers() {
        guard access(folder, F_OK) == 0,
            let names = try? FileComparison.names(in: folder.joined(.root))
        else { return }
        for name in names.map({ String(decoding: $0, as: UTF8.self) }) {
            guard let dot = name.firstIndex(of: ".") else { continue }
            let job = String(name[..<dot])
            let isHalf = name.hasSuffix(".new")
            guard isHalf || access("\(folder)/\(job)", F_OK) != 0,
                let lock = try? LockFile.take(lock(job), .aloneAtOnce)
            else { continue }
            if isHalf { ScratchRemoval.remove("\(folder)/\(name)") }
            if access("\(folder)/\(job)", F_OK) == 0 { lock.release() } else { lock.remove() }
        }
    }

    /// Bytes of a folder. What several names share, with the content store too, counts in parts.
    private static func bytes(of root: String) -> Int64 {
        var bytes: Int64 = 0
        var folders = [TreePath.root]
        while let folder = folders.popLast() {
            for name in (try? FileComparison.names(in: root.joined(folder))) ?? [] {
                let path = folder.appending(name)
                var status = stat()
                guard lstat(root.joined(path), &status) == 0 else { continue }
                if status.st_mode & S_IFMT == S_IFDIR { folders.append(path) }
                let links = status.st_mode & S_IFMT == S_IFDIR ? 1 : max(1, status.st_nlink)
                bytes += Int64(status.st_blocks) * 512 / Int64(links)
            }
        }
        return bytes
    }
}
