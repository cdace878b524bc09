import PipelineIR
import Testing

@testable import Executor

@Suite struct BlobUploadTests {
    private func put(
        _ parts: [[UInt8]], as digest: Digest, in store: ContentStore
    ) throws -> Bool {
        let upload = try BlobUpload(to: store)
        for part in parts { try part.withUnsafeBytes { try upload.add($0) } }
        let isKept = try upload.finish(as: digest)
        // Once it is over there is nothing to add to, and nothing to end.
        try [UInt8](1...3).withUnsafeBytes { try upload.add($0) }
        #expect(try !upload.finish(as: digest))
        return isKept
    }

    @Test func `a content that came in parts is there, once`() throws {
        let scratch = try CacheScratch()
        let store = try ContentStore("\(scratch.path)/cas")
        for _ in 0..<2 {
            #expect(try put([[1, 2], [], [3]], as: Digest(of: [1, 2, 3]), in: store))
        }
        #expect(store.read(Digest(of: [1, 2, 3])) == [1, 2, 3])
        #expect(try put([], as: Digest(of: []), in: store))
        #expect(store.read(Digest(of: [])) == [])
    }

    @Test func `another content than was said leaves nothing`() throws {
        let scratch = try CacheScratch()
        let store = try ContentStore("\(scratch.path)/cas")
        #expect(try !put([[1]], as: Digest(of: [2]), in: store))
        #expect(store.read(Digest(of: [1])) == nil && store.read(Digest(of: [2])) == nil)
        _ = try BlobUpload(to: store)
        #expect(try store.verify().blobs == 0)
    }
}
