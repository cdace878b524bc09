import Glibc
import PipelineIR

/// Fetches an artifact into a file that is there whole or not at all.
struct ArtifactDownload {
    private let artifact: RemoteArtifact
    private let job: String
    private let master: MasterClient
    private static let mostTries = 5

    init(_ artifact: RemoteArtifact, job: String, from master: MasterClient) {
        self.artifact = artifact
        self.job = job
        self.master = master
    }

    /// Writes it to a path, to standard output for `-`, or without a path under its own name in
    /// this folder, where nothing may be yet.
    func write(to output: String?) throws(Failure) {
        if output == "-" {
            return try fetch(into: STDOUT_FILENO, isSeekable: false, "standard output")
        }
        let path: String
        if let output { path = output } else { path = try ownName() }
        let part = "\(path).\(getpid()).part"
        let file = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard file >= 0 else {
            throw .mistake("cannot write \(path): \(FileBytes.reason(errno))")
        }
        defer { close(file) }
        do throws(Failure) {
            try fetch(into: file, isSeekable: true, path)
            guard fsync(file) == 0 else {
                throw .environment("cannot write \(path): \(FileBytes.reason(errno))")
            }
            try place(part, path, replaces: output != nil)
        } catch {
            unlink(part)
            throw error
        }
        Output.err(DisplayText.escaped("danube: note: `\(artifact.name)` is in \(path)"))
    }

    /// The last part of the name; a master cannot name another folder.
    private func ownName() throws(Failure) -> String {
        let last = artifact.name.split(separator: "/").last.map(String.init) ?? ""
        guard !last.isEmpty, last != ".", last != "..", !last.utf8.contains(0),
            last.utf8.count <= 200
        else {
            throw .mistake(
                "`\(artifact.name)` is no name for a file", hint: "Name a file with -o.")
        }
        return artifact.isFolder ? last + ".tar.gz" : last
    }

    private func place(_ part: String, _ path: String, replaces: Bool) throws(Failure) {
        if replaces {
            if rename(part, path) == 0 { return }
        } else if link(part, path) == 0 {
            unlink(part)
            return
        } else if errno == EEXIST {
            throw .mistake("\(path) is there already", hint: "Name it with -o to replace it.")
        }
        throw .environment("cannot write \(path): \(FileBytes.reason(errno))")
    }

    private final class Progress {
        var hasher = DigestHasher()
        var count: Int64 = 0
        var problem: Int32 = 0
        var isTooLong = false
    }

    private func fetch(into file: Int32, isSeekable: Bool, _ path: String) throws(Failure) {
        var tries = 1
        while true {
            let progress = Progress()
            let most = artifact.isFolder ? Int64.max : artifact.size
            let result: Result<HTTPHead, Failure>
            do throws(TransferError) {
                let call = MasterClient.Call(.get, "artifacts", job, artifact.name)
                result = try master.pieces(call, .download) { piece in
                    progress.count += Int64(piece.count)
                    progress.isTooLong = progress.count > most
                    if progress.isTooLong { return false }
                    progress.hasher.update(piece)
                    progress.problem = PrivateFile.put(piece, file)
                    return progress.problem == 0
                }
            } catch {
                // What is written already cannot be taken back from a pipe.
                guard isSeekable, tries < Self.mostTries, case .cut = error,
                    ftruncate(file, 0) == 0, lseek(file, 0, SEEK_SET) == 0
                else { throw master.failure(error) }
                tries += 1
                continue
            }
            if case .failure(let failure) = result { throw failure }
            return try check(progress, path)
        }
    }

    private func check(_ progress: Progress, _ path: String) throws(Failure) {
        guard progress.problem == 0 else {
            throw .environment("cannot write \(path): \(FileBytes.reason(progress.problem))")
        }
        if artifact.isFolder { return }
        let digest = progress.hasher.finalize()
        guard !progress.isTooLong, progress.count == artifact.size,
            artifact.digest.isEmpty || artifact.digest == digest.description
                || artifact.digest == digest.hex
        else {
            throw .environment(
                "`\(artifact.name)` did not arrive as it was kept: its size or digest differs",
                hint: "Try again; when it stays so, the master's store is damaged.")
        }
    }
}
