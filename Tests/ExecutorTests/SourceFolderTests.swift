import Glibc
import PipelineIR
import Testing

@testable import Executor

@Suite struct SourceFolderTests {
    private let scratch: CacheScratch

    init() throws { scratch = try CacheScratch() }

    /// A run that saw that there is no folder, makes it, and holds it until it ends.
    private static let otherRun = """
        import fcntl, os, sys, time
        path = sys.argv[1]
        lock = open(path + '.lock', 'w')
        fcntl.flock(lock, fcntl.LOCK_SH)
        os.write(1, b'.')
        time.sleep(0.2)
        os.mkdir(path)
        time.sleep(10)
        open(path + '.ended', 'w')
        """

    @Test func `the folder that another run made is used while that run goes on`() throws {
        let store = try ContentStore(scratch.path + "/cas")
        try scratch.write("from/a", "a")
        let tree = try TreeReader(Folder(scratch.path + "/from"), memory: nil)
            .ingest([Glob("**")], into: store)
        let folders = try SourceFolders(scratch.path, store: store)
        let path = "\(scratch.path)/sources/\(tree.digest.hex)"
        let other = try Child(["/usr/bin/python3", "-I", "-S", "-c", Self.otherRun, path])
        try #require(other.readByte() != nil)
        #expect(try folders.layer(of: tree).folder() == path)
        #expect(access("\(path).ended", F_OK) != 0)
        other.end()
    }
}
