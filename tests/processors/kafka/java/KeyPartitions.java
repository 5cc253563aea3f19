import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import java.util.Base64;

/** Prints, for each base64 key on standard input, the partition that the Java producer would choose. */
public class KeyPartitions {
    public static void main(String[] args) throws Exception {
        int partitions = Integer.parseInt(args[0]);
        java.io.BufferedReader in = new java.io.BufferedReader(new java.io.InputStreamReader(System.in));
        for (String line = in.readLine(); line != null; line = in.readLine())
            System.out.println(BuiltInPartitioner.partitionForKey(Base64.getDecoder().decode(line), partitions));
    }
}
