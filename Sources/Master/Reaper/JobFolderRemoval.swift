internal import CSandbox
internal import Glibc

internal import struct Executor.JobID

/// Removes files of jobs whose rows say that they are removed. It waits for the disk.
struct JobFolderRemoval {
    /// The data folder.
    let data: String

    /// Removes them; `false` when something of them stays, or an engine is still there.
    func remove(_ files: DoomedFiles) -> Bool {
        let path = "\(data)/jobs/\(files.job.text)"
        guard !JournalReader(folder: path, offset: 0).isHeld() else { return false }
        switch files.kind {
        case .jobs: return danube_remove_tree(path) == 0
        case .artifacts:
            guard danube_remove_tree("\(path)/\(ArtifactScan.folderName)") == 0 else {
                return false
            }
            // Where logs went before, nothing is left in it.
            rmdir(path)
            return true
        case .logs: return removeLogs(path)
        }
    }

    /// Everything but artifacts; the folder, too, where there are none.
    private func removeLogs(_ path: String) -> Bool {
        let root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
        guard root >= 0 else { return errno == ENOENT }
        let names = (try? FolderListing(root: root, path: []))?.entries.map(\.name)
        close(root)
        guard let names else { return false }
        var isGone = true
        for name in names where name != Array(ArtifactScan.folderName.utf8) {
            let entry = Array(path.utf8) + [UInt8(ascii: "/")] + name + [0]
            let status = entry.withUnsafeBufferPointer { bytes in
                bytes.withMemoryRebound(to: CChar.self) { text in
                    text.baseAddress.map { danube_remove_tree($0) } ?? 0
                }
            }
            isGone = status == 0 && isGone
        }
        rmdir(path)
        return isGone
    }
}
