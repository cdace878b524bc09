internal import Glibc

/// The workspace of a job that a master records. It stays when its engine is ended from outside,
/// for as long as the job's folder leads to it: the next engine goes on there, or the master takes
/// the way away, and any run cleans up.
package struct KeptWorkspace {
    private let workspace: String
    private let way: String
    private static let suffix = ".kept"
    private static let name = "workspace"

    /// The workspace of a job at a path.
    init(_ workspace: String, _ job: JobFolder) {
        self.workspace = workspace
        way = "\(job.path)/\(Self.name)"
    }

    /// Has it stay.
    func keep() throws(WorkspaceError) {
        for (target, path) in [(workspace, way), (way, workspace + Self.suffix)]
        where symlink(target, path) != 0 && errno != EEXIST {
            throw .system("make", path: path, errno: errno)
        }
    }

    /// It is gone, or may go.
    func giveUp() {
        unlink(way)
        unlink(workspace + Self.suffix)
    }

    /// Lets the workspace go of a job that no engine goes on with.
    package static func giveUp(jobFolder: String) { unlink("\(jobFolder)/\(name)") }

    /// Whether an entry of the folder of workspaces is the mark of one that stays.
    static func isMark(name: String, in folder: String) -> Bool {
        guard name.hasSuffix(suffix) else { return false }
        _ = isKept("\(folder)/\(name.dropLast(suffix.count))")
        return true
    }

    /// Whether a workspace stays. A mark that leads nowhere is removed.
    static func isKept(_ workspace: String) -> Bool {
        let mark = workspace + suffix
        var status = stat()
        guard lstat(mark, &status) == 0 else { return false }
        var target = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        guard readlink(mark, &target, Int(PATH_MAX)) > 0, lstat(target, &status) == 0 else {
            unlink(mark)
            return false
        }
        return true
    }
}
