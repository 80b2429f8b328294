import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;

import concourse.AccessToken;
import concourse.ComplexTObject;
import concourse.ComplexTObjectType;
import concourse.TCriteria;
import concourse.TObject;
import concourse.TOrder;
import concourse.TOrderComponent;
import concourse.TPage;
import concourse.TSymbol;
import concourse.TSymbolType;
import concourse.TransactionToken;
import org.apache.thrift.TEnum;

/** Values of every type, each made of a number, as samples.py makes them. */
final class Samples {
  private Samples() {}

  /** The arguments of a call; the environment is its last text. */
  static Object[] call(Method m, long n, AccessToken creds, TransactionToken transaction, String environment) {
    Type[] types = m.getGenericParameterTypes();
    Object[] values = new Object[types.length];
    for (int i = 0; i < types.length; i++) {
      values[i] = types[i] == AccessToken.class ? creds
          : types[i] == TransactionToken.class ? transaction
          : isEnvironment(types, i) ? environment
          : of(types[i], n);
    }
    return values;
  }

  static boolean isEnvironment(Type[] types, int i) {
    return i == types.length - 1 && i > 0 && types[i] == String.class;
  }

  /** The number that a call was made of; 0 where its arguments say none. */
  static long number(Method m, Object[] values) {
    Type[] types = m.getGenericParameterTypes();
    for (int i = 0; i < types.length; i++) {
      Long n = isEnvironment(types, i) || types[i] == AccessToken.class || types[i] == TransactionToken.class
          ? null : number(values[i]);
      if (n != null) {
        return n;
      }
    }
    return 0;
  }

  static Object answer(Method m, Object[] values) {
    return m.getReturnType() == void.class ? null : of(m.getGenericReturnType(), number(m, values));
  }

  static Object of(Type type, long n) {
    if (type instanceof ParameterizedType) {
      ParameterizedType p = (ParameterizedType) type;
      Object first = of(p.getActualTypeArguments()[0], n);
      if (p.getRawType() == Map.class) {
        return Map.of(first, of(p.getActualTypeArguments()[1], n));
      }
      return p.getRawType() == Set.class ? Set.of(first) : List.of(first);
    }
    Class<?> c = (Class<?>) type;
    String text = Long.toString(n);
    if (c == boolean.class || c == Boolean.class) {
      return n % 2 == 0;
    } else if (c == long.class || c == Long.class) {
      return n;
    } else if (c == String.class) {
      return text;
    } else if (c == ByteBuffer.class) {
      return ByteBuffer.wrap(text.getBytes());
    } else if (TEnum.class.isAssignableFrom(c)) {
      int value = (int) (1 + n % 2);
      return Arrays.stream(c.getEnumConstants()).filter(e -> ((TEnum) e).getValue() == value).findFirst().get();
    } else if (c == TObject.class) {
      return new TObject((ByteBuffer) of(ByteBuffer.class, n), (concourse.Type) of(concourse.Type.class, n));
    } else if (c == TCriteria.class) {
      return new TCriteria(List.of(new TSymbol((TSymbolType) of(TSymbolType.class, n), text)));
    } else if (c == TOrder.class) {
      TOrderComponent component = new TOrderComponent(text, (int) (1 + n % 2));
      return new TOrder(List.of(component.setTimestamp((TObject) of(TObject.class, n))));
    } else if (c == TPage.class) {
      return new TPage((int) (1 + n % 2), (int) (1 + n % 2));
    } else if (c == ComplexTObject.class) {
      return new ComplexTObject(ComplexTObjectType.SCALAR).setTscalar((TObject) of(TObject.class, n));
    }
    throw new IllegalArgumentException("no sample of " + type);
  }

  private static Long number(Object value) {
    if (value instanceof Long) {
      return (Long) value;
    } else if (value instanceof String) {
      return Long.valueOf((String) value);
    } else if (value instanceof Collection) {
      return number(((Collection<?>) value).iterator().next());
    } else if (value instanceof TObject) {
      return Long.valueOf(new String(((TObject) value).getData()));
    } else if (value instanceof TCriteria) {
      return Long.valueOf(((TCriteria) value).getSymbols().get(0).getSymbol());
    } else if (value instanceof TOrder) {
      return Long.valueOf(((TOrder) value).getSpec().get(0).getKey());
    }
    return null;
  }
}
