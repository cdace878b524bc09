internal import Glibc

/// What a git leaves in a bare repository when it is killed: locks of its files, and packs that
/// were not whole.
enum StaleLocks {
    private static let mostDepth = 64

    /// Removes it. Nobody else may use the repository.
    static func remove(in folder: String) {
        visit(folder, depth: 0) { $0.hasSuffix(".lock") }
        visit("\(folder)/objects/pack", depth: mostDepth) { $0.hasPrefix("tmp_") }
    }

    /// Removes files whose names are such, in a folder and in those beneath that hold refs.
    private static func visit(_ folder: String, depth: Int, _ isStale: (String) -> Bool) {
        guard let handle = opendir(folder) else { return }
        defer { closedir(handle) }
        var folders: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name == "." || name == ".." { continue }
            if Int32(entry.pointee.d_type) == Int32(DT_DIR) {
                let isOfRefs = depth > 0 || ["refs", "logs", "worktrees"].contains(name)
                if isOfRefs, depth < mostDepth { folders.append(name) }
            } else if isStale(name) {
                unlink("\(folder)/\(name)")
            }
        }
        for name in folders { visit("\(folder)/\(name)", depth: depth + 1, isStale) }
    }
}
