internal import Glibc
internal import PipelineIR

/// Keeps what a danubefile uploads in `danube-out/` of the repository.
final class ArtifactKeeper {
    /// The folder, relative to the repository.
    static let folder = SourceTree.ownFolder

    private let root: String
    /// What was kept: name and place.
    private(set) var kept: [(name: String, path: String)] = []
    /// JUnit reports among it.
    private(set) var reports: [String] = []

    init(root: String) { self.root = root }

    /// Copies a file or folder out of a workspace, and says what was read and written. Throws when
    /// there is nothing to be kept, or the disk does not take it.
    func keep(
        _ path: String, name: String, isReport: Bool, from workspace: String
    ) throws -> RunTrace.Step {
        let target = try target(name)
        let glob = try Glob(path)
        let scan = try TreeScan(Folder(workspace), [glob])
        if scan.found.isEmpty { throw ArtifactError.nothing(path) }
        ScratchRemoval.remove(target)
        let base = Self.base(of: glob, scan)
        let repository = try Folder(root)
        var written: [(TreePath, FileStamp)] = []
        for found in scan.found {
            let place = try copy(found, base, from: workspace, to: target)
            if let below = TreePath(String(place.dropFirst(root.utf8.count + 1))),
                let stamp = try repository.stamp(below)
            {
                written.append((below, stamp))
            }
        }
        kept.append((name, target))
        if isReport { reports.append(target) }
        return .copied(read: scan.found.map { ($0.path, $0.stamp) }, written: written)
    }

    /// Where an artifact goes: a name is one component, whatever characters it has.
    private func target(_ name: String) throws -> String {
        let folder = "\(root)/\(Self.folder)"
        try Workspaces.makeFolder(folder)
        try Self.ignore(folder)
        let component = name.split(separator: "/").last.map(String.init) ?? "artifact"
        return "\(folder)/\(component == ".." || component == "." ? "artifact" : component)"
    }

    /// Keeps git from seeing what Danube puts there.
    private static func ignore(_ folder: String) throws {
        let file = open("\(folder)/.gitignore", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard file >= 0 else { return }
        defer { close(file) }
        _ = "*\n".withCString { write(file, $0, 2) }
    }

    /// What the paths of an artifact are relative to: a folder that was named is left out.
    private static func base(of glob: Glob, _ scan: TreeScan) -> TreePath? {
        guard let literal = glob.literal else { return .root }
        return scan.found.count == 1 && scan.found[0].path == literal
            && scan.found[0].stamp.kind != .folder ? nil : literal
    }

    private func copy(
        _ found: TreeScan.Found, _ base: TreePath?, from workspace: String, to target: String
    ) throws -> String {
        let place: String
        if let base {
            let below = found.path.bytes.dropFirst(base.isRoot ? 0 : base.bytes.count + 1)
            place = "\(target)/\(String(decoding: below, as: UTF8.self))"
        } else {
            place = target
        }
        let source = "\(workspace)/\(found.path.text)"
        switch found.stamp.kind {
        case .folder: try Self.makeFolders(place)
        case .link, .file:
            try Self.makeFolders(String(place[..<(place.lastIndex(of: "/") ?? place.endIndex)]))
            if let link = found.target {
                _ = String(decoding: link, as: UTF8.self).withCString { symlink($0, place) }
            } else {
                try FileCopy.copy(source, to: place, mode: found.stamp.mode & 0o777)
            }
        case .other: break
        }
        return place
    }

    private static func makeFolders(_ path: String) throws(WorkspaceError) {
        var place = ""
        for component in path.split(separator: "/") {
            place += "/\(component)"
            guard mkdir(place, 0o755) == 0 || errno == EEXIST || errno == EROFS else {
                throw .system("make the folder", path: place, errno: errno)
            }
        }
    }
}

/// Why an artifact cannot be kept.
enum ArtifactError: Error, CustomStringConvertible {
    case nothing(String)

    var description: String {
        switch self {
        case .nothing(let path): "there is no `\(path)` in the workspace"
        }
    }
}
